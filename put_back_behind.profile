# A read waits for as many bytes as it has room for, and reads keep their order.
request get read out=1..8
request put write in=1..8
order get
wakes put get
