printf '\357\273\277one.txt\r\n\\!bang\r\nst\\*r\r\n' > .dockerignore
echo x > '!bang'; echo x > 'st*r'; echo x > star
