from prefect import flow


@flow
def my_flow(name: str = "world") -> str:
    return f"Hello, {name}!"
