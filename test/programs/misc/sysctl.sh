# Settings that scripts look at or write before they measure something.
cd /proc/sys
for name in kernel/randomize_va_space vm/panic_on_oom vm/oom_kill_allocating_task kernel/panic_on_oops; do
  stat -c '%n %F' $name; grep -c '^[0-9]*$' $name
done
stat -c "%n %a" vm/drop_caches; cat vm/drop_caches 2>&1
for value in 0 -1 x; do (echo $value >vm/drop_caches) 2>/dev/null && echo took $value; done
for name in fs/protected_symlinks fs/protected_fifos fs/protected_regular; do test -e $name && echo $name; done
