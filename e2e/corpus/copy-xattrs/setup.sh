python3 -c 'import os; os.setxattr("a", "user.note", b"hi"); os.setxattr("b", "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))'
