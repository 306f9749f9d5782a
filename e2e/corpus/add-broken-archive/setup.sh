python3 -c '
import os
open("big","wb").write(os.urandom(200000))
'
tar -czf full.tar.gz big; head -c 100000 full.tar.gz > cut.tar.gz; rm big full.tar.gz
