ln -s elsewhere src/sub
