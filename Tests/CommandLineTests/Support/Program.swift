import Foundation
import Glibc
import HTTPTestSupport
import Subprocess
import TestSupport

/// The result of a run of the program.
struct Outcome: Sendable {
    let code: CInt
    let output: String
    let errors: String

    /// The output and the errors together.
    var everything: String { output + errors }
}

/// The program that MORTISE_PROGRAM names, or the debug build, which is in the same folder as the tests.
enum Program {
    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["MORTISE_PROGRAM"] { return named }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let tests = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return tests[..<(tests.lastIndex(of: "/") ?? tests.startIndex)] + "/mortise"
    }()

    /// The program for Subprocess.
    ///
    /// The literal avoids a dependency on the module of its path type.
    static var executable: Executable { .path(fromLiteral(path)) }

    private static func fromLiteral<Path: ExpressibleByStringLiteral>(_ text: String) -> Path
    where Path.StringLiteralType == String {
        Path(stringLiteral: text)
    }

    /// A credential of the right form that belongs to no key.
    static let credential = "mka_live_" + String(repeating: "k", count: 46)

    /// Runs the program against a server, without the MORTISE_ variables of the tests' own environment.
    static func run(
        _ arguments: [String],
        server: ScriptedServer? = nil,
        environment: [String: String] = [:],
        input: String = ""
    ) async throws -> Outcome {
        guard !input.isEmpty else { return try await run(executable, arguments, variables(server, environment)) }
        // The input is a file, because Subprocess traps if a program exits without reading a pipe.
        return try await TemporaryFolder.with { folder in
            TemporaryFolder.write(input, to: "\(folder)/input")
            let redirect = ["-c", #"file=$1; shift; exec "$@" < "$file""#, "sh", "\(folder)/input", path]
            return try await run(.name("sh"), redirect + arguments, variables(server, environment))
        }
    }

    private static func run(_ executable: Executable, _ arguments: [String], _ variables: Environment) async throws
        -> Outcome
    {
        let result = try await waiting(for: "the program ends: \(arguments.joined(separator: " "))") {
            try await Subprocess.run(
                executable,
                arguments: Arguments(arguments),
                environment: variables,
                input: .none,
                output: .string(limit: 1 << 20),
                error: .string(limit: 1 << 20)
            )
        }
        return Outcome(
            code: code(result.terminationStatus),
            output: result.standardOutput,
            errors: result.standardError
        )
    }

    /// Runs the program with the admin key in its environment.
    static func call(_ arguments: String..., at server: ScriptedServer, input: String = "") async throws -> Outcome {
        try await run(arguments, server: server, environment: ["MORTISE_TOKEN": credential], input: input)
    }

    static func variables(_ server: ScriptedServer?, _ more: [String: String]) -> Environment {
        // The settings file of the machine is not used, because it may belong to a real installation.
        var variables: [Environment.Key: String] = [
            "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "MORTISE_SETTINGS": "/dev/null",
        ]
        if let server { variables["MORTISE_URL"] = server.url }
        for (name, value) in more { variables[Environment.Key(stringLiteral: name)] = value }
        return .custom(variables)
    }

    static func code(_ status: TerminationStatus) -> CInt {
        switch status {
        case .exited(let code): code
        case .signaled(let number): 128 + number
        }
    }
}
