chmod 700 one/sub; chmod 755 two/sub; chmod 711 two
