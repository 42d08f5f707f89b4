# Devices of terminals are found in sysfs by their number and by their class, as other devices are.
for name in null zero random tty console ptmx; do
  number=$(stat -c '%Hr:%Lr' /dev/$name)
  echo "$name $number $(readlink /sys/dev/char/$number)"
  cat /sys/dev/char/$number/uevent
done
cat /sys/class/tty/ptmx/dev; readlink /sys/class/tty/tty/subsystem
test -s /sys/class/tty/console/active && echo a console
