python3 -c '
import io,tarfile
t=tarfile.open("up.tar","w")
i=tarfile.TarInfo("a/../../../b"); i.size=1; i.mtime=981173106
t.addfile(i,io.BytesIO(b"x")); t.close()
'
