/* core_call.c - computing without the GIL, under an object's lock; and what a status raises. */
#include "core.h"

#include <errno.h>
#include <time.h>

/* --- Errors ---------------------------------------------------------------------------------- */

/* OSError(errno, message, file), whose subclass is that of errno, if errno is still that of the
 * error: its text is then part of the message. */
static int raise_os_error(int number, const struct tulle_error *error)
{
    if (number == 0 || !strstr(error->message, strerror(number)))
        return 0;
    PyObject *file = PyUnicode_DecodeFSDefault(error->file);
    PyObject *raised =
        file ? PyObject_CallFunction(PyExc_OSError, "isO", number, error->message, file) : NULL;
    if (raised)
        PyErr_SetObject((PyObject *)Py_TYPE(raised), raised);
    Py_XDECREF(raised);
    Py_XDECREF(file);
    return 1;
}

static PyObject *exception_of(enum tulle_status status)
{
    switch (status) {
    case TULLE_ERROR_MEMORY:
        return PyExc_MemoryError;
    case TULLE_ERROR_IO:
        return PyExc_OSError;
    case TULLE_ERROR_VERSION:
        return core.VersionError;
    case TULLE_ERROR_DIVERGED:
        return core.DivergedError;
    case TULLE_ERROR_INTERRUPTED:
        return PyExc_KeyboardInterrupt;
    case TULLE_ERROR_UNSUPPORTED:
        return PyExc_NotImplementedError;
    default:
        return PyExc_ValueError;
    }
}

void core_raise(enum tulle_status status, const struct tulle_error *error, const char *text)
{
    char whole[sizeof error->file + sizeof error->message + 64];
    int number = errno;
    if (PyErr_Occurred()) /* what a callback raised is the reason */
        return;
    if (error && status == TULLE_ERROR_IO && raise_os_error(number, error))
        return;
    if (error) {
        tulle_error_text(error, whole, sizeof whole);
        text = whole;
    }
    PyObject *message = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    if (message)
        PyErr_SetObject(exception_of(status), message);
    Py_XDECREF(message);
}

/* --- Locks ----------------------------------------------------------------------------------- */

enum { POLL_MICROSECONDS = 25000 };

int core_lock_init(struct core_lock *lock)
{
    lock->holder = 0;
    lock->mutex = PyThread_allocate_lock();
    if (!lock->mutex)
        PyErr_NoMemory();
    return lock->mutex ? 0 : -1;
}

void core_lock_clear(struct core_lock *lock)
{
    if (lock->mutex)
        PyThread_free_lock(lock->mutex);
}

static int take(struct core_lock *lock)
{
    if (PyThread_acquire_lock(lock->mutex, NOWAIT_LOCK))
        return 0;
    if (lock->holder == PyThread_get_thread_ident()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the object is computing: a signal handler must not use it meanwhile");
        return -1;
    }
    if (lock->holder && lock->forks != core.forks) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the object was computing in another thread when the process forked: use "
                        "one of this process's own");
        return -1;
    }
    for (PyLockStatus status = PY_LOCK_FAILURE; status != PY_LOCK_ACQUIRED;) {
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(lock->mutex, POLL_MICROSECONDS, 0);
        Py_END_ALLOW_THREADS
        if (status != PY_LOCK_ACQUIRED && PyErr_CheckSignals() < 0)
            return -1;
    }
    return 0;
}

/* --- Calls ----------------------------------------------------------------------------------- */

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int core_enter(struct core_call *call, struct core_lock *lock, double work)
{
    call->lock = lock;
    call->thread = NULL;
    if (lock) {
        if (take(lock) < 0)
            return -1;
        lock->holder = PyThread_get_thread_ident();
        lock->forks = core.forks;
    }
    core_compute(call, work);
    return 0;
}

void core_compute(struct core_call *call, double work)
{
    const double most_with_gil = 50000; /* some microseconds */
    if (work > most_with_gil)
        core_suspend_python(call);
}

void core_leave(struct core_call *call)
{
    int number = errno;
    if (call->thread)
        PyEval_RestoreThread(call->thread);
    if (call->lock) {
        call->lock->holder = 0;
        PyThread_release_lock(call->lock->mutex);
    }
    errno = number;
}

void core_resume_python(struct core_call *call)
{
    PyEval_RestoreThread(call->thread);
}

void core_suspend_python(struct core_call *call)
{
    call->next_poll = now() + POLL_MICROSECONDS * 1000LL;
    call->thread = PyEval_SaveThread();
}

int core_poll(struct core_call *call)
{
    if (!call->thread || now() < call->next_poll)
        return 0;
    core_resume_python(call);
    int failed = PyErr_CheckSignals() < 0;
    core_suspend_python(call);
    return failed ? -1 : 0;
}
