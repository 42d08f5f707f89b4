# Settings that scripts look at or write before they measure something.
cd /proc/sys
for name in kernel/randomize_va_space vm/panic_on_oom vm/oom_kill_allocating_task kernel/panic_on_oops; do
  stat -c '%n %F' $name; grep -c '^[0-9]*$' $name
done
stat -c "%n %a" vm/drop_caches; cat vm/drop_caches 2>&1
for value in 0 -1 x; do (echo $value >vm/drop_caches) 2>/dev/null && echo took $value; done
for name in fs/protected_symlinks fs/protected_fifos fs/protected_regular; do test -e $name && echo $name; done
for name in sched_rt_period_us sched_rt_runtime_us sched_rr_timeslice_ms; do
  stat -c '%n %a' kernel/$name; grep -c '^[0-9]*$' kernel/$name
done
# What is no period, or more than all of it.
for value in 0 -1 x 2147483648; do (echo $value >kernel/sched_rt_period_us) 2>/dev/null && echo took $value; done
for value in -2 x $(($(cat kernel/sched_rt_period_us) + 1)); do
  (echo $value >kernel/sched_rt_runtime_us) 2>/dev/null && echo took $value
done
(echo x >kernel/sched_rr_timeslice_ms) 2>/dev/null && echo took it
true
