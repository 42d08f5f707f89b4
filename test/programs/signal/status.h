/* What /proc/PID/status says of a process's signals. */
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

/* Prints the lines that begin with one of `fields`, names of six letters with spaces between. */
static void show_status(pid_t pid, const char *fields)
{
	char path[40], line[200];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		for (const char *field = fields; field; field = strchr(field, ' ') ? strchr(field, ' ') + 1 : NULL)
			if (strncmp(line, field, 6) == 0)
				say("%s", line);
	}
	if (file)
		fclose(file);
}
