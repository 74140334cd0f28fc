#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace vitrine::test {

/** Results that the TEE gives to the next calls of one kind, without being asked; sessions live in processes of their own. */
class TeeAnswers {
public:
  void operator=(std::initializer_list<uint32_t> results) {
    std::ranges::copy(results, shared_->results);
    shared_->count = results.size();
    shared_->used = 0;
  }
  std::optional<uint32_t> next() {
    if (shared_->used == shared_->count) return std::nullopt;
    return shared_->results[shared_->used++];
  }

private:
  struct Shared {
    size_t count;
    size_t used;
    uint32_t results[8];
  };
  Shared* shared_ =
      static_cast<Shared*>(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
};

extern TeeAnswers openAnswers;   ///< of TEE_IOC_OPEN_SESSION
extern TeeAnswers invokeAnswers; ///< of TEE_IOC_INVOKE

} // namespace vitrine::test
