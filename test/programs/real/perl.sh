# test: needs perl
# Perl: processes, pipes, sockets, sorting, regular expressions, files.
perl -e 'my %h; $h{$_ % 97} += $_ for 1..200000; print join(",", map { "$_:$h{$_}" } (sort { $a <=> $b } keys %h)[0..3]), "\n"'
perl -e 'for my $i (1..5) { my $p = fork; if (!$p) { exit $i } waitpid $p, 0; print $? >> 8, "\n" }'
perl -e 'open my $f, "-|", "echo from child; exit 3" or die; print <$f>; close $f; print $? >> 8, "\n"'
perl -e 'pipe my $r, my $w; if (!fork) { close $r; print $w "line $_\n" for 1..10000; exit } close $w; my $n = () = <$r>; print "$n\n"'
perl -MSocket -e 'socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC; syswrite $a, "hello"; sysread $b, my $x, 10; print "$x\n"'
perl -e '$SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; sleep 1000 }; print $@; local $SIG{USR1} = sub { print "usr1\n" }; kill USR1 => $$'
perl -MTime::HiRes=sleep,time -e 'my $t = time; sleep 0.1; print time - $t > 0.09 ? "slept\n" : "no\n"'
perl -e 'open my $f, "+>", "x"; print $f "abc" x 1000; seek $f, 5, 0; read $f, my $b, 4; print "$b ", -s "x", "\n"; truncate $f, 10; print -s $f, "\n"; rename "x", "y"; print -e "y" ? 1 : 0, "\n"; unlink "y"'
perl -MFile::Find -e 'mkdir "d"; mkdir "d/$_" for 1..20; my $n; find(sub { $n++ }, "d"); print "$n\n"'
perl -MPOSIX -e 'print join(" ", POSIX::strtol("77", 8)), " ", (POSIX::uname())[0], " ", POSIX::ttyname(0) // "none", "\n"; print strftime("%F", gmtime(86400 * 365)), "\n"'
perl -MDigest::SHA=sha256_hex -e 'print sha256_hex("a" x 1_000_000), "\n"'
perl -e '$_ = "x" x 20000 . "y"; print /^(x+x+)+y$/ ? "match\n" : "no\n"; my $s = join "", map { chr(65 + $_ % 26) } 1..50000; my $n = () = $s =~ /(?=([A-M]{3}))/g; print "$n\n"'
perl -e 'die "bye\n"'; echo $?
