# What compiler and linker have against faults in memory that others would make use of: stacks and known
# sizes of buffers are checked, jumps land only where they may, no stack is executable, the tables of
# addresses are read-only, and programs lie at random addresses. scripts/check_hardening.sh looks for it.
include(CheckCSourceCompiles)
include(CheckPIESupported)

# Sets `result` to the first of the flags that works without a warning in the configuration that is
# built, or to "".
function(tulle_first_flag result)
  set(CMAKE_TRY_COMPILE_CONFIGURATION ${CMAKE_BUILD_TYPE})
  set(CMAKE_REQUIRED_QUIET ON)
  set(${result} "" PARENT_SCOPE)
  foreach(flag ${ARGN})
    string(MAKE_C_IDENTIFIER "TULLE_HAS${flag}" has)
    set(CMAKE_REQUIRED_FLAGS -Werror)
    if(flag MATCHES "^-Wl,")
      set(CMAKE_REQUIRED_LINK_OPTIONS ${flag})
    else()
      string(APPEND CMAKE_REQUIRED_FLAGS " ${flag}")
    endif()
    check_c_source_compiles("#include <stdio.h>\nint main(void) { return 0; }" ${has})
    if(${has})
      separate_arguments(flag)
      set(${result} ${flag} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# Gives what is available to all that links with `target`, an interface library.
function(tulle_harden target)
  tulle_first_flag(clash -fstack-clash-protection)
  tulle_first_flag(jumps -fcf-protection=full -mbranch-protection=standard)
  # Sanitizers check more themselves. And glibc checks sizes only in optimised builds, and warns in others; gcc 12
  # misplaces vectors of 64 bytes in frames that have a canary and are kept to see their use after return (its PR
  # 110027).
  if(NOT CMAKE_C_FLAGS MATCHES "sanitize")
    tulle_first_flag(stack -fstack-protector-strong)
    tulle_first_flag(sizes "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3" "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2")
  endif()
  tulle_first_flag(tables -Wl,-z,relro,-z,now)
  tulle_first_flag(no_code -Wl,-z,noexecstack)
  target_compile_options(${target} INTERFACE ${stack} ${clash} ${jumps} ${sizes})
  target_link_libraries(${target} INTERFACE ${tables} ${no_code})
endfunction()

# Executables at random addresses, where they can be.
check_pie_supported(OUTPUT_VARIABLE ignored LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
