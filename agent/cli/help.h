#pragma once

namespace CLI {
class App;
}

namespace agent {

// What --help of each subcommand, and the man page that is made from it (docs/man/make), say below
// the flags: exit statuses and an example. To be called when all subcommands were added.
void add_help(CLI::App& app);

}  // namespace agent
