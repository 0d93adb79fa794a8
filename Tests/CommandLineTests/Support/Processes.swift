import FoundationEssentials

/// Returns the processes whose command line contains all the texts.
func processes(naming texts: String...) -> [Int32] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }
        .filter { process in
            let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            return texts.allSatisfy { String(decoding: line, as: UTF8.self).contains($0) }
        }
}

/// Returns the initdb that creates a cluster in a folder, or `nil` if there is none.
///
/// The children of initdb do not count. Before a child runs another program, it has the command line of initdb, and a
/// signal for initdb would reach that program.
func initdb(makingIn folder: String) -> Int32? {
    let all = processes(naming: "-D", "\(folder)/data.new-")
    return all.first { process in
        // "42 (initdb) S 41 …": the parent is the second field after the name.
        guard let stat = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return false }
        let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 1, let parent = Int32(fields[1]) else { return false }
        return !all.contains(parent)
    }
}
