mkdir -p t/sub; echo a > t/a; echo b > t/sub/b; chown 55:66 t/sub/b; chmod 4755 t/a
touch -d '2001-02-03T04:05:06Z' t/a t/sub/b t/sub
tar --sort=name -C t -cf t.tar a sub; rm -r t
