#include "store/warehouse/shut_in.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace warehouse {
namespace {

void AddMissing(ShutInReport& report, const char* what) {
    if (!report.missing.empty()) report.missing += ", ";
    report.missing += std::string(what) + " (" + std::strerror(errno) + ")";
}

constexpr long kRefusedCalls[] = {
    SYS_execve,      SYS_execveat,      SYS_ptrace,        SYS_process_vm_readv,
    SYS_process_vm_writev, SYS_mount,   SYS_umount2,       SYS_pivot_root,
    SYS_chroot,      SYS_init_module,   SYS_finit_module,  SYS_delete_module,
    SYS_kexec_load,  SYS_kexec_file_load, SYS_bpf,         SYS_perf_event_open,
    SYS_userfaultfd, SYS_keyctl,        SYS_add_key,       SYS_request_key,
    SYS_unshare,     SYS_setns,         SYS_io_uring_setup, SYS_swapon,
    SYS_swapoff,     SYS_reboot,        SYS_open_by_handle_at, SYS_pidfd_getfd};

constexpr sock_filter Statement(uint16_t code, uint32_t k) { return {code, 0, 0, k}; }
constexpr sock_filter Jump(uint16_t code, uint32_t k, uint8_t yes, uint8_t no) {
    return {code, yes, no, k};
}

bool InstallSeccomp() {
    constexpr uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
    std::vector<sock_filter> program;
    program.push_back(Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
    program.push_back(Jump(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    program.push_back(Statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    program.push_back(Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    // The x32 calls are other numbers for the same things.
    program.push_back(Jump(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1));
    program.push_back(Statement(BPF_RET | BPF_K, kRefuse));
    for (const long call : kRefusedCalls) {
        program.push_back(Jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1));
        program.push_back(Statement(BPF_RET | BPF_K, kRefuse));
    }
    program.push_back(Jump(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3));
    program.push_back(Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)));
    program.push_back(Jump(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0));
    program.push_back(Statement(BPF_RET | BPF_K, kRefuse));
    program.push_back(Statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

constexpr uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kWriteFile = kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr uint64_t kWrite =
    kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;
constexpr uint64_t kHandled = kWrite | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                              LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK;

void Allow(int rules, const std::string& path, uint64_t directory, uint64_t file) {
    const int fd = open(path.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) return;  // What is not there needs no rule.
    struct stat st {};
    landlock_path_beneath_attr attr{};
    attr.parent_fd = fd;
    attr.allowed_access =
        fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? directory : file;
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
    close(fd);
}

bool InstallLandlock(const std::vector<std::string>& writable,
                     const std::vector<std::string>& readable) {
    // REFER (moving between directories, which ClickHouse does) came with version 2.
    const long version =
        syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 2) return false;
    landlock_ruleset_attr attr{};
    attr.handled_access_fs = kHandled;
    const auto rules = static_cast<int>(
        syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0));
    if (rules < 0) return false;
    for (const std::string& path : writable) Allow(rules, path, kWrite, kWriteFile);
    for (const std::string& path : readable) Allow(rules, path, kRead, kReadFile);
    Allow(rules, "/dev/null", kRead, kWriteFile);
    const bool done = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return done;
}

}  // namespace

ShutInReport ShutIn(const std::vector<std::string>& writable,
                    const std::vector<std::string>& readable) {
    ShutInReport report;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) AddMissing(report, "no_new_privs");
    // Without privilege only inside a user namespace of its own.
    report.no_network_namespace =
        unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    if (!report.no_network_namespace) AddMissing(report, "network namespace");
    report.own_directory_only = InstallLandlock(writable, readable);
    if (!report.own_directory_only) AddMissing(report, "landlock");
    report.no_exec_no_sockets = InstallSeccomp();
    if (!report.no_exec_no_sockets) AddMissing(report, "seccomp");
    return report;
}

}  // namespace warehouse
