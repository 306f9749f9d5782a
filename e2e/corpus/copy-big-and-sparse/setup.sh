python3 -c '
open("big","wb").write(bytes(i*7%251 for i in range(3_000_001)))
open("empty","wb").close()
f=open("sparse","wb"); f.truncate(5_000_000); f.seek(2_500_000); f.write(b"middle"); f.close()
open("exact","wb").write(b"x"*1024)
'
