# test: needs sqlite3
# SQLite: transactions, journals (rollback and write-ahead), indices, locking between processes.
for mode in delete wal; do
  rm -f db*
  sqlite3 db "pragma journal_mode=$mode; create table t (id integer primary key, name text, n real);
    with recursive c(i) as (select 1 union all select i + 1 from c where i < 20000) insert into t select i, 'name ' || (i % 500), i * 1.5 from c;
    create index by_name on t (name); select count(*), sum(n), max(name) from t; select id from t where name = 'name 77' order by id desc limit 3;
    begin; delete from t where id % 2; rollback; select count(*) from t; update t set n = n + 1 where id < 100; vacuum; pragma integrity_check;"
  for i in 1 2 3 4; do (for j in 1 2 3 4 5; do sqlite3 -cmd '.timeout 200000' db "insert into t (name, n) values ('p$i', $j)"; done) & done; wait
  sqlite3 db "select name, count(*) from t where name like 'p%' group by name"
done
sqlite3 db "select id, name, n from t where name not like 'p%' order by id" | md5sum; sqlite3 db .schema; sqlite3 :memory: 'select sqlite_version() is not null, hex(zeroblob(4))'; sqlite3 db 'select * from nope' 2>&1; echo $?
