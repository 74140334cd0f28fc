#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

/** Which clients may see a global. */
enum class GlobalAccess {
  Everybody,
  Trusted, ///< not a client with a security context (security-context-v1): a sandboxed one
  XServer  ///< nobody but the X server that the compositor has started
};

/** One protocol that the compositor may offer: who sees it, and why. */
struct GlobalPolicy {
  std::string_view interface;
  GlobalAccess access;
  std::string_view reason;
};

/** The user's exceptions for sandboxed clients: names of interfaces, all in globalPolicies(). */
struct SecuritySettings {
  std::vector<std::string> sandboxAllow; ///< [security] sandbox_allow
  std::vector<std::string> sandboxDeny;  ///< [security] sandbox_deny; counts more than sandboxAllow
  bool operator==(const SecuritySettings&) const = default;
};

/** All policies, by name. An interface that is absent is not for sandboxed clients. */
[[nodiscard]] std::span<const GlobalPolicy> globalPolicies();

/** The policy of an interface; null: it has none. */
[[nodiscard]] const GlobalPolicy* globalPolicyOf(std::string_view interface);

/** Whether a sandboxed client sees a global of this interface. False for an unknown one (fail closed). */
[[nodiscard]] bool sandboxMaySee(std::string_view interface, const SecuritySettings& settings);

} // namespace vitrine
