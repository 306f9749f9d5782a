mkfifo dir/fifo; chmod 640 dir/fifo
