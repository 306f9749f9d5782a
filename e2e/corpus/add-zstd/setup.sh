mkdir t; echo a > t/a; touch -d '2001-02-03T04:05:06Z' t/a
tar --sort=name -C t -cf a.tar a; zstd -q --rm a.tar; rm -r t
