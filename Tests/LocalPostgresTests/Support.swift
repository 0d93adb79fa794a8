import FoundationEssentials
import Glibc
import LocalPostgres
import Logging
import Subprocess
import Testing

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

extension LocalPostgres.Options {
    /// The options for data that must survive, with time limits that a busy machine does not reach.
    static var patient: Self {
        var options = durable
        options.startTimeout = throwaway.startTimeout
        options.stopTimeout = throwaway.stopTimeout
        return options
    }
}

/// Passes a new folder, which other users can enter, to `body`, and removes it afterwards.
func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let folder = "/tmp/local-postgres-test-\(UUID().uuidString.prefix(8))"
    try #require(mkdir(folder, 0o755) == 0)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

/// Passes a server that is not started yet to `body`, and stops it afterwards.
func withServer(
    _ folder: String,
    options: LocalPostgres.Options = .throwaway,
    _ body: (LocalPostgres) async throws -> Void
) async throws {
    let server = try makeServer(folder, options: options)
    do {
        try await body(server)
    } catch {
        await server.stop(mode: .immediate)
        throw error
    }
    await server.stop(mode: .immediate)
}

func makeServer(_ folder: String, options: LocalPostgres.Options = .throwaway) throws -> LocalPostgres {
    LocalPostgres(installation: try .find(), directory: folder, options: options, logger: quiet)
}

/// The text that psql printed when it failed.
struct QueryFailure: Error {
    let output: String
}

/// Runs SQL with psql and returns the text that it printed.
@discardableResult
func query(_ server: LocalPostgres, _ sql: String) async throws -> String {
    let result = try await Subprocess.run(
        .name("psql"),
        arguments: ["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, try await server.connectionString],
        output: .string(limit: 65_536),
        error: .combinedWithOutput
    )
    guard result.terminationStatus.isSuccess else { throw QueryFailure(output: result.standardOutput) }
    return result.standardOutput.split(separator: "\n").joined(separator: "\n")
}

/// Returns the number in the first line of `postmaster.pid`, or `nil` if there is no such file.
func postmaster(_ folder: String) -> pid_t? {
    let text = try? String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8)
    return text?.split(separator: "\n").first.flatMap { pid_t($0) }
}

func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

/// Returns the folders of data that are not complete.
func unfinished(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("data.new-") }
        .map { "\(folder)/\($0)" }
}

/// Returns the processes whose command line has all the texts.
func processes(naming texts: String...) -> [pid_t] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { pid_t($0) }
        .filter { process in
            let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            return texts.allSatisfy { String(decoding: line, as: UTF8.self).contains($0) }
        }
}

/// Returns the initdb that creates data in a folder, or `nil` if there is none.
///
/// A child of initdb is not returned. Until the child becomes another program, it has the same command line, and a signal for
/// initdb would reach that program.
func initdb(makingIn folder: String) -> pid_t? {
    let all = processes(naming: "-D", "\(folder)/data.new-")
    return all.first { process in
        // "42 (initdb) S 41 …": the parent is the second field behind the name.
        guard let stat = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return false }
        let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 1, let parent = pid_t(fields[1]) else { return false }
        return !all.contains(parent)
    }
}
