# test: needs git
# Git: a tree of thousands of files, history, branches, merges, a clone, gc.
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1
git init -q -b main repo; cd repo || exit 1
for d in $(seq 1 40); do mkdir "d$d"; for f in $(seq 1 75); do echo "file $f in $d" >"d$d/f$f"; done; done
git add . && git commit -q -m first; git rev-parse HEAD; git ls-files | wc -l; git status --short | wc -l
sed -i 's/file/changed/' d1/*; git rm -q d2/f1; ln -s d1 link; git add -A; git diff --cached --stat | tail -n1; git commit -q -m second; git rev-parse HEAD
git checkout -q -b side HEAD~1; echo side >side; echo conflict >d1/f1; git add side d1/f1; git commit -q -m side; git checkout -q main
git merge side -m merge 2>&1 | tail -n1; git checkout --ours d1/f1; git add d1/f1; git commit -q -m merged; git rev-parse HEAD
git log --oneline --graph | cat; git blame d1/f2 | cut -c1-8; git grep -c 'in 7$' | wc -l
git tag -a v1 -m one; git stash list; echo dirty >>d3/f3; git stash -q; git stash pop -q; git diff --shortstat; git checkout -q .
cd ..; git clone -q repo clone; git -C clone log --oneline | wc -l; git -C clone fsck 2>&1 | tail -n2
git clone -q --bare repo bare.git; git -C clone remote set-url origin ../bare.git; cd clone && echo new >new && git add new && git commit -q -m new && git push -q origin main; cd ..; git -C bare.git rev-parse main
git -C repo gc -q; git -C repo count-objects -v | grep -E '^(count|packs):'; git -C repo fsck --full 2>&1 | tail -n1; git -C repo status --short | wc -l
git -C repo archive HEAD | tar t | wc -l; git -C repo bisect start -q HEAD HEAD~1 >/dev/null 2>&1; echo $?
