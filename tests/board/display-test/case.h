#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "protected-path/base/result.h"
#include "tests/board/display-test/board.h"

namespace vitrine::display_test {

/** What a case cannot do without; a bit set. A case whose need this board does not meet is skipped, with the reason. */
enum Need : uint32_t {
  NeedHeap = 1 << 0,     ///< a heap that is nominated as protected; the case runs once for each
  NeedOrdinary = 1 << 1, ///< the `system` heap, for ordinary buffers
  NeedTee = 1 << 2,      ///< a TEE device
  NeedFill = 1 << 3,     ///< a trusted application that fills protected buffers
  NeedSdpBasic = 1 << 4, ///< optee_test's application (xtest --sdp-basic)
  NeedDecrypt = 1 << 5,  ///< Vitrine's frame decryption application
  NeedDump = 1 << 6,     ///< a secure world that hands protected memory out (test builds)
  NeedCard = 1 << 7,     ///< a KMS device
  NeedRender = 1 << 8,   ///< a Vulkan device that imports dma-bufs
  NeedUdmabuf = 1 << 9,  ///< /dev/udmabuf
  NeedMaster = 1 << 10,  ///< to be the KMS device's master: no session owns it
  NeedEye = 1 << 11,     ///< something that sees what the display shows: panel camera, writeback or CRC
  NeedWayland = 1 << 12, ///< a Wayland compositor
};
inline constexpr unsigned needCount = 13;

/** A need by its name in `--need` and the reports: `heap`, `tee`, `sdp-basic`. Empty for a bit without a name. */
[[nodiscard]] std::string_view needName(Need need);

/** What a case may do to the board beyond its own buffers; a bit set. `--safe` leaves out all but Shows. */
enum Disturbance : uint32_t {
  Undisturbed = 0,    ///< takes a few small buffers
  Shows = 1 << 0,     ///< shows test pictures on the display for a moment
  FillsPool = 1 << 1, ///< takes all of a pool: pools that can grow do, and other users find none
  MayHang = 1 << 2,   ///< a bad driver, firewall or TEE may hang the board on it, a bad compositor may stay locked
};

/** Something that a case saw: an errno, a measured value. */
struct Observation {
  std::string what;   ///< `mmap(PROT_READ, MAP_SHARED)`
  std::string value;  ///< `EINVAL (22)`
  bool wrong = false; ///< it is why the case failed
};

/** A picture that a case took, PNG. */
struct Picture {
  std::string title;
  std::string png; ///< the file's bytes
};

enum class Verdict : uint8_t { Pass, Fail, Skip };
[[nodiscard]] std::string_view verdictName(Verdict verdict); ///< `pass`, `fail`, `skip`

/** What came of one run of one case. */
struct Outcome {
  Verdict verdict = Verdict::Pass;
  std::string reason; ///< of a failure or a skip: one sentence
  std::vector<Observation> seen;
  std::vector<Picture> pictures;
};
void to_json(nlohmann::json& json, const Outcome& outcome);
void from_json(const nlohmann::json& json, Outcome& outcome);

/** The 16 bytes that this run's protected buffers are filled with, over and over; random, or `--secret`. */
using Secret = std::array<uint8_t, 16>;

/** What a running case has: the board, its heap, and where it says what it saw. Lives in the case's own process. */
class Trial {
public:
  Trial(const Board& board, const Heap* heap, const Secret& secret) : board_(board), heap_(heap), secret_(secret) {}

  [[nodiscard]] const Board& board() const { return board_; }
  /** The heap under test; asserts NeedHeap. */
  [[nodiscard]] const Heap& heap() const;
  [[nodiscard]] const Secret& secret() const { return secret_; }

  /** Notes an observation that is neither right nor wrong. */
  void saw(std::string what, std::string value);
  /** Notes an observation; where it is not `right`, the case fails, and the first such observation is its reason. Returns `right`. */
  bool expect(bool right, std::string what, std::string value);
  /** expect() that a call gave one of these errnos; `got` is its errno, 0 where it succeeded. */
  bool expectErrno(std::string what, int got, std::span<const int> right);
  bool expectErrno(std::string what, int got, std::initializer_list<int> right) {
    return expectErrno(std::move(what), got, std::span(right.begin(), right.size()));
  }
  /** Fails with this reason. */
  void fail(std::string reason);
  /** Ends the case as skipped, unless it has failed already: `return trial.skip(…)`. */
  Result<> skip(std::string reason);
  void show(std::string title, std::string png);

  [[nodiscard]] const Outcome& outcome() const { return outcome_; }

private:
  const Board& board_;
  const Heap* heap_;
  Secret secret_;
  Outcome outcome_;
};

/** One case. Its error, where it returns one, is a failure: it could not be carried out. An error of kind Missing is a skip. */
struct Case {
  std::string_view name; ///< `map/mmap-read`: the group, then what is special
  std::string_view proves;
  std::string_view expectation; ///< where the expectation comes from: kernel document or source, specification, thread
  uint32_t needs = 0;
  uint32_t disturbs = Undisturbed;
  double typicalSeconds = 0.1;
  Result<> (*run)(Trial& trial) = nullptr;

  [[nodiscard]] std::string_view group() const { return name.substr(0, name.find('/')); }
};

/** `EINVAL (22)`, or `succeeded` for 0. */
[[nodiscard]] std::string errnoText(int number);

} // namespace vitrine::display_test
