ln -s /dir/file abs; ln -s abs chain; ln -s ../../../dir/file out
