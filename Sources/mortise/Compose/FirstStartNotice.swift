import Glibc
import Keys
import Service

/// The tokens that a first start creates, shown on standard output and never in the log.
///
/// They are shown before the keys are committed, so that none is lost.
struct FirstStartNotice {
    private let first: FirstStart

    init(_ first: FirstStart) { self.first = first }

    /// The first words of a notice, by which the file of an earlier one is known.
    private static let heading = "This is the first start."

    /// Writes the tokens to a new file that only its owner can read, or without one to standard output.
    ///
    /// The file of an earlier first start gets another name: that of a start which ended too early, or of an installation in another
    /// database. Waits until the disk or a reader has taken the tokens.
    ///
    /// - Throws: `CommandFailure` if a file of this name exists that no first start has written, or if the file cannot be written. No key
    ///   is created then.
    func show(in file: String?) async throws {
        guard let file else { return try await Blocking.run { try Output.line(text) } }
        let earlier = try await Blocking.run { try Self.moveEarlier(file) }
        do {
            try await FileAccess.writeSecret("\(text)\n", to: file)
        } catch let failure as CommandFailure {
            throw earlier.map { failure.adding("The file of an earlier first start is now \($0).") } ?? failure
        }
        try await Blocking.run {
            let moved = earlier.map { " The file of an earlier first start is now \($0)." } ?? ""
            try Output.line("\(Self.heading) Its tokens are in the file \(file). Keep them in a safe place.\(moved)")
        }
    }

    /// Gives the file of an earlier notice the next free name with a number, because it can hold the only copy of a valid token.
    ///
    /// - Returns: The new name, or `nil` if there is no file.
    /// - Throws: `CommandFailure` for a file that is no notice, or cannot be moved.
    private static func moveEarlier(_ file: String) throws -> String? {
        guard file != "-" else {
            throw CommandFailure.usage(
                "keys_out takes a file. Without it, the tokens go to standard output. No key was created."
            )
        }
        let limit = 16_384
        do throws(FileAccess.Fault) {
            // A read of a pipe or a terminal would wait.
            guard FileAccess.permissions(ofRegularFile: file) != nil else {
                guard access(file, F_OK) == 0 else { throw FileAccess.Fault.last() }
                throw FileAccess.Fault(reason: "it exists, and is no regular file", isExisting: true)
            }
            let text = String(decoding: try FileAccess.readNow(file, limit: limit), as: UTF8.self)
            guard text.hasPrefix(heading) else {
                throw FileAccess.Fault(reason: "it exists, and no first start has written it", isExisting: true)
            }
            for number in 1...999 {
                let name = "\(file).\(number)"
                if link(file, name) == 0 {
                    guard unlink(file) == 0 else { throw FileAccess.Fault.last() }
                    return name
                }
                guard errno == EEXIST else { throw FileAccess.Fault.last() }
            }
            throw FileAccess.Fault(reason: "there are 999 files of earlier first starts", isExisting: true)
        } catch  where error.isMissing {
            return nil
        } catch {
            throw CommandFailure.usage(
                "\(file) cannot be created: \(error.reason). No key was created.",
                details: ["The file was not changed. Name another file with keys_out, and start again."]
            )
        }
    }

    private var text: String {
        var lines = ["\(Self.heading) These tokens are shown once. Keep them in a safe place:"]
        if let token = first.operatorToken { lines.append("  operator key: \(token.reveal())") }
        if let token = first.adminToken {
            lines.append("  admin key of the organization \"default\": \(token.reveal())")
        }
        lines.append(
            "They are valid as soon as the server listens. If it ends before that, start it again:"
                + " the tokens that it then shows replace these."
        )
        return lines.joined(separator: "\n")
    }
}
