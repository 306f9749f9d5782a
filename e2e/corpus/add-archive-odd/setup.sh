python3 -c '
import io,tarfile
t=tarfile.open("odd.tar","w",format=tarfile.PAX_FORMAT)
def add(name,data=b"x",**k):
    i=tarfile.TarInfo(name); i.size=len(data); i.mtime=981173106; i.mode=0o644
    for a,v in k.items(): setattr(i,a,v)
    t.addfile(i,io.BytesIO(data))
add("./dot/file"); add("/abs/file"); add("n"*150+"/"+"m"*150)
add("\u00fc/\u4e2d"); add("pax",pax_headers={"comment":"hi","SCHILY.xattr.user.note":"v"})
add("dup",b"first"); add("dup",b"second")
add("link",b"",type=tarfile.SYMTYPE,linkname="pax"); add("hard",b"",type=tarfile.LNKTYPE,linkname="pax")
add("fifo",b"",type=tarfile.FIFOTYPE)
t.close()
'
