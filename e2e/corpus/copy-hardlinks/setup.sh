echo x > a; ln a b; mkdir sub; ln a sub/c; ln a sub/d
