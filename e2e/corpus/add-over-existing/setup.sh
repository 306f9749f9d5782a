mkdir -p t/dir t/lndir; echo new > t/file; echo n > t/dir/n; echo x > t/lndir/x; echo plain > t/ln
find t -exec touch -d '2001-02-03T04:05:06Z' {} +
tar --sort=name -C t -cf t.tar dir file lndir ln; rm -r t
