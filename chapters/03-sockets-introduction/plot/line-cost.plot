# How often a hundred lines make a program read. Counted by a test.
x bytes in a line
y reads
series a byte at a time
  15 1501
  30 3001
  60 6001
  120 12001
  240 24001
  480 48001
series through a buffer
  15 2
  30 2
  60 3
  120 4
  240 7
  480 13
