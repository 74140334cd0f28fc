#pragma once

#include <linux/tee.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protected-path/base/clock.h"
#include "protected-path/base/unique_fd.h"

namespace vitrine {

/** How long a caller waits for the TEE. */
struct TeePatience {
  /** For opening a session, in nanoseconds. A trusted application that lies in a file needs tee-supplicant to load it. */
  Nanoseconds openTimeout = 2'000'000'000;
  /** Gives up any call once this fd is readable (borrowed); -1: no such fd. */
  int stopFd = -1;
};

/** One call for the worker: opening the session, or an invocation in it. */
struct TeeCall {
  enum class Kind : uint32_t { OpenSession, Invoke } kind = Kind::OpenSession;
  std::array<uint8_t, TEE_IOCTL_UUID_LEN> application{}; ///< OpenSession
  uint32_t command = 0;                                  ///< Invoke
  uint32_t parameterCount = 0;
  std::array<tee_ioctl_param, 4> parameters{}; ///< GlobalPlatform has no more
};

/** What came of it. */
struct TeeAnswer {
  int32_t error = 0;   ///< errno of the ioctl; 0: the TEE answered
  uint32_t result = 0; ///< the TEE's, and who gave it
  uint32_t origin = 0;
  uint32_t session = 0;                        ///< OpenSession
  std::array<tee_ioctl_param, 4> parameters{}; ///< with what the TEE wrote into them
};

/**
 * A process of its own for one session with the TEE.
 *
 * A call into the TEE may never return: opening an application waits for a tee-supplicant that does not run, an
 * application loops. A thread in such a call cannot be ended, a process that waits for the supplicant can (SIGKILL). One
 * that not even SIGKILL ends is left behind, and we go on. The session belongs to the open file, which both share.
 */
class TeeWorker {
public:
  /** Forks. `teeFd`: the open TEE device. The thread that calls this has to live as long as the worker. */
  [[nodiscard]] static Result<TeeWorker> start(int teeFd);
  TeeWorker(TeeWorker&& other) noexcept;
  TeeWorker& operator=(TeeWorker&& other) noexcept;
  /** Closes the session and ends the process, or leaves it behind where it does not end. */
  ~TeeWorker();

  /**
   * Makes a call and waits for its answer. System errors, with `operation` and `object`: ETIMEDOUT after `timeout`,
   * ECANCELED once `stopFd` is readable; after either the worker is of no more use. EPIPE where it is gone.
   */
  [[nodiscard]] Result<TeeAnswer> call(const TeeCall& call, std::optional<Nanoseconds> timeout, int stopFd,
                                       std::string_view operation, const std::string& object);

private:
  TeeWorker(UniqueFd channel, UniqueFd process, pid_t pid);
  void end();
  UniqueFd channel_; ///< SOCK_SEQPACKET; invalid once the worker is of no more use
  UniqueFd process_; ///< pidfd
  pid_t pid_;
};

} // namespace vitrine
