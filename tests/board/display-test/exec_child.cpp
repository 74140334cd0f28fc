#include "tests/board/display-test/exec_child.h"

#include <cerrno>
#include <cstdlib>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace vitrine::display_test {

int execChild(const std::string& task, const std::string& fd) {
  const int number = std::atoi(fd.c_str());
  if (task == "fstat") {
    struct stat status{};
    return fstat(number, &status) == 0 ? 0 : errno;
  }
  void* address = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, number, 0);
  return address == MAP_FAILED ? errno : 0;
}

int runExecChild(const char* task, int fd) {
  const std::string number = std::to_string(fd);
  const pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "vitrine-display-test", "--exec-child", task, number.c_str(), nullptr);
    _exit(255);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

} // namespace vitrine::display_test
