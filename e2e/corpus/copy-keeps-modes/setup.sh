echo x > suid; chmod 4755 suid
echo x > sgid; chmod 2711 sgid
mkdir sticky; chmod 1777 sticky
mkdir sgiddir; chmod 2775 sgiddir; echo f > sgiddir/f
echo x > none; chmod 000 none
echo x > owned; chown 1234:5678 owned; chmod 6755 owned
mkdir empty
mkdir private; chmod 700 private; echo p > private/p
echo x > old; touch -d '1975-06-01T00:00:00Z' old
echo x > frac; touch -d '1999-01-02T03:04:05.987654321Z' frac
