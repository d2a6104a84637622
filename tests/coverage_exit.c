/* coverage_exit.c - linked where coverage is measured: _exit() keeps the counts, which only exit()
 * does by itself. Signal handlers of the command, and children of tests, end by it. */
extern void __gcov_dump(void);
extern void __real__exit(int status);
void __wrap__exit(int status);

void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
