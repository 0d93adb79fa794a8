import FoundationEssentials
import Glibc
import Keys
import Logging

/// The secrets file of this installation: read, or made at the first start.
enum InstallationSecrets {
    private static let maximumBytes = 65_536

    static func load(
        _ settings: InstallationSettings,
        isMade: Bool,
        logger: Logger
    ) async throws -> SecretsFile {
        let (file, dataFolder) = (settings.secretsPath, settings.dataFolder)
        return try await Blocking.run {
            // Only the file of the data folder is made: a named one that is missing is more likely a mistake.
            if settings.secretsFile == nil, isMade { try Self.makeIfMissing(file, in: dataFolder, logger) }
            return try Self.read(file)
        }
    }

    private static func read(_ file: String) throws(CommandFailure) -> SecretsFile {
        let bytes: [UInt8]
        do throws(FileAccess.Fault) {
            bytes = try FileAccess.readNow(file, limit: Self.maximumBytes)
        } catch {
            throw .usage(
                "The secrets file \(file) cannot be read: \(error.reason).",
                details: [
                    "`mortise secrets new \(file)` makes one for a new installation; an old one needs its own back."
                ]
            )
        }
        do throws(SecretsFileFault) {
            return try SecretsFile(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw .usage("The secrets file \(file) cannot be used. \(error.description)")
        }
    }

    /// Written under another name and linked into place, so that two servers that start at once read the same secrets, and none half a file.
    private static func makeIfMissing(_ file: String, in folder: String, _ logger: Logger) throws(CommandFailure) {
        guard access(file, F_OK) != 0 else { return }
        mkdir(folder, 0o711)
        var random = SystemRandomNumberGenerator()
        guard let id = SecretID("s1"), let secrets = SecretsFile.random(id: id, using: &random) else {
            throw CommandFailure(.output, "No secrets could be made.")
        }
        let draft = "\(file).\(getpid()).\(random.next())"
        try SecretFile(creating: draft).finish(secrets.reveal())
        let isLinked = link(draft, file) == 0
        let fault = errno
        unlink(draft)
        if isLinked {
            logger.notice(
                "made the secrets file; every server of this installation needs it, and no token can be verified without it: keep a copy",
                metadata: ["file": "\(file)"]
            )
        } else if fault != EEXIST {
            throw CommandFailure(.output, "\(file) could not be made: \(String(cString: strerror(fault))).")
        }
    }
}
