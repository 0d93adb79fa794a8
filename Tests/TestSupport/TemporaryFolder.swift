import Foundation
import Glibc

/// Folders and files of a test.
package enum TemporaryFolder {
    /// Runs the body with a new folder, which is removed afterwards.
    package static func with<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        var template = Array("/tmp/mortise-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw POSIXFailure(code: errno) }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    /// The error of a folder that cannot be made.
    package struct POSIXFailure: Error {
        package let code: CInt
    }

    /// Returns the text of a file, or `nil` if the file does not exist.
    package static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes a file.
    package static func write(_ text: String, to path: String) {
        guard let file = fopen(path, "w") else { return }
        fputs(text, file)
        fclose(file)
    }

    /// Returns the permission bits of a file, or `nil` if the file does not exist.
    package static func mode(_ path: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.posixPermissions] as? NSNumber)?.intValue
    }
}
