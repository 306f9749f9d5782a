mkdir -p dir t/sub
echo a > t/a; chmod 4750 t/a; echo b > t/sub/b; ln -s a t/ln; ln t/a t/hard; mkdir -m 700 t/private
chown 1234:5678 t/sub/b
touch -h -d '2001-02-03T04:05:06Z' t/a t/sub/b t/sub t/ln t/private t
tar --sort=name --format=gnu -C t -cf plain.tar .
tar --sort=name --format=gnu -C t -czf gz.bin a sub ln hard private
tar --sort=name --format=gnu -C t -cjf b.tar.bz2 sub
tar --sort=name --format=gnu -C t -cJf x.tar.xz sub
echo compressed text | gzip -n > just.gz
python3 -c 'open("empty.tar","wb").write(bytes(10240))'
cp plain.tar dir/kept.tar
rm -r t
