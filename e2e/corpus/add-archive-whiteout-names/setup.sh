mkdir t; echo f > t/f; tar -C t -cf t.tar f; rm -r t
