printf '# first comment\r\n\r\nfrom e2e/busybox:1 as Base\r\n\trun echo a > /a\r\nEnv\tX=1   Y=2\r\n  # indented comment\r\ncopy f \\\r\n  /f\r\nlabel a=b \\\r\n# inner comment\r\n c=d\r\ncmd ["x"]' > Dockerfile
echo f > f
