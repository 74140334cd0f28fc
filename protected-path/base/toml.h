#pragma once

/**
 * The one way to include toml++: distributions build its library with exceptions, which our code does not use; so it is compiled
 * here, header only and without them. The header is large: include it in as few files as can be.
 */
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.hpp>
