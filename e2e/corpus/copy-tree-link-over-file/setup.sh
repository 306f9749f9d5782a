ln -s elsewhere src/a
