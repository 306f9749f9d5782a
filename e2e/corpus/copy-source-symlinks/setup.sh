ln -s real.txt link-file; ln -s dir link-dir; ln -s dir through
ln -s file tree/rel; ln -s /etc/passwd tree/abs; ln -s nowhere tree/dangling; ln -s . tree/loop
ln -s ../real.txt tree/up
