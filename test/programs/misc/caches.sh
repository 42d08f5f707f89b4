# What sysfs says of the processor's caches; how they are shared is the machine's own affair.
cd /sys/devices/system/cpu/cpu0/cache 2>/dev/null || { echo no caches; exit 0; }
for index in index*; do
  for attribute in level type size coherency_line_size number_of_sets ways_of_associativity; do
    printf '%s %s %s\n' $index $attribute "$(cat $index/$attribute)"
  done
done
for attribute in level type size; do stat -c '%A %s' index0/$attribute; done
getconf -a | grep CACHE
cd /sys/kernel/mm/transparent_hugepage 2>/dev/null || exit 0
for attribute in enabled defrag hpage_pmd_size shmem_enabled; do echo "$attribute: $(cat $attribute)"; done
