mkdir t; echo a > t/a; touch -d '2001-02-03T04:05:06Z' t/a
tar -C t -cf t.tar a; rm -r t
