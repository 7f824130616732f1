// Looking at the processes of a job through /proc.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace feral::support {

// What can be read of it: a file of /proc fails in the middle when its process ends.
inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content;
  char buffer[4096];
  do {
    in.read(buffer, sizeof buffer);
    content.append(buffer, static_cast<std::size_t>(in.gcount()));
  } while (in);
  return content;
}

struct ProcessInfo {
  pid_t pid = -1;
  std::string name;  // the kernel's: feral-worker-0
  char state = '?';  // 'T' when stopped, 'Z' when dead and not waited for
};

// Nothing is found (pid -1) when the process is gone.
inline ProcessInfo process_info(pid_t pid) {
  const std::string stat = content_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 >= stat.size()) return {};
  return {pid, stat.substr(open + 1, close - open - 1), stat[close + 2]};
}

// The living processes in whose starting environment `setting` ("NAME=VALUE") stands: a program and whatever it
// started, also after it is gone.
inline std::vector<ProcessInfo> processes_with(const std::string& setting) {
  std::vector<ProcessInfo> found;
  const std::string wanted = std::string(1, '\0') + setting + std::string(1, '\0');
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string number = entry.path().filename();
    if (!std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
    const std::string environment = std::string(1, '\0') + content_of(entry.path() / "environ");
    if (environment.find(wanted) == std::string::npos) continue;
    const ProcessInfo info = process_info(static_cast<pid_t>(std::stoi(number)));
    if (info.pid > 0 && info.state != 'Z' && info.state != 'X') found.push_back(info);
  }
  return found;
}

// What each open descriptor of a process refers to: "3 socket:[123]".
inline std::vector<std::string> descriptors_of(pid_t pid) {
  std::vector<std::string> found;
  std::error_code error;
  std::error_code unreadable;
  // The folder can go while it is read: its process ended.
  for (std::filesystem::directory_iterator at("/proc/" + std::to_string(pid) + "/fd", error), end;
       !error && at != end; at.increment(error)) {
    found.push_back(at->path().filename().string() + " " +
                    std::filesystem::read_symlink(at->path(), unreadable).string());
  }
  std::ranges::sort(found);
  return found;
}

inline std::set<std::string> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    names.insert(entry.path().filename());
  return names;
}

}  // namespace feral::support
