import FoundationEssentials
import Glibc
import Keys
import LocalPostgres
import Logging
import Postgres
import Service

/// The treatment of a secrets file that does not exist.
enum SecretsFileCreation: Sendable {
    /// A missing file is an error.
    case never
    /// A missing file is an error, because a backup is sealed with the file of its installation.
    case ofBackup
    /// A missing file is created if it is the one in the data folder.
    ///
    /// A missing file that a setting names is more likely a mistake, and remains an error.
    case inDataFolder
}

/// The secrets file of an installation.
enum InstallationSecrets {
    /// The maximum size of the file, 64 KiB.
    static let maximumBytes = 65_536

    /// Reads the secrets file, and creates it at the first start.
    ///
    /// - Throws: `CommandFailure` if the file cannot be read or created, or is malformed.
    static func load(
        _ settings: InstallationSettings,
        _ creation: SecretsFileCreation,
        logger: Logger
    ) async throws -> SecretsFile {
        if creation == .inDataFolder, settings.secretsFile == nil, access(settings.secretsPath, F_OK) != 0 {
            // A new file would hide the loss of the old one, and a backup of it would later meet a file in its place.
            guard try await !hasInstallation(settings, logger) else { throw lost(settings.secretsPath) }
        }
        return try await Blocking.run {
            switch creation {
            case .inDataFolder where settings.secretsFile == nil: try create(settings, logger)
            case .inDataFolder, .never, .ofBackup: break
            }
            return try read(settings, creation, logger)
        }
    }

    /// Returns true if the database has an installation, which has secrets somewhere.
    private static func hasInstallation(_ settings: InstallationSettings, _ logger: Logger) async throws -> Bool {
        switch settings.database {
        case .own:
            guard case .complete = try LocalPostgres.state(of: settings.postgresFolder) else { return false }
            return true
        case .server(let url):
            let owner = try Host.configuration(url.reveal())
            return try await Reactor.with(name: "secrets") { reactor in
                try await Bootstrap.isInstalled(owner: owner, reactor: reactor, logger: logger)
            }
        }
    }

    private static func lost(_ file: String) -> CommandFailure {
        .usage(
            "The secrets file \(file) is missing, and the database has an installation. Nothing was created.",
            details: ["Restore the file from a backup, or name it with \(Settings.pepperFile.declaration.flag)."]
        )
    }

    /// Returns the failure of a command that finds no secrets file.
    ///
    /// Without a setting, the file is looked for below the present folder, in which the installation need not be.
    private static func missing(_ settings: InstallationSettings, _ creation: SecretsFileCreation) -> CommandFailure {
        let (data, file) = (Settings.data.declaration, Settings.pepperFile.declaration)
        let path = settings.secretsPath
        let whole = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        if creation == .ofBackup {
            return .usage(
                "There is no secrets file \(whole), and a backup cannot be read without that of its installation.",
                details: [
                    """
                    A backup has no copy of the file. Put yours there, or name it with \(file.flag) (\(file.variable)). A new one \
                    cannot take its place: it could not verify any token of the installation. Nothing was changed.
                    """
                ]
            )
        }
        let advice =
            settings.secretsFile == nil
            ? """
            Run this in the folder in which `mortise serve` runs, or name its files: \(data.flag) (\(data.variable)) is its data \
            folder, and \(file.flag) (\(file.variable)) its secrets file. A new installation gets the file when `mortise serve` \
            starts.
            """
            : """
            \(file.flag), \(file.variable) or \(file.member) in the settings file names it. An existing installation needs its \
            original file. For a new installation, `mortise secrets new \(path)` creates one.
            """
        return .usage("There is no secrets file \(whole).", details: [advice])
    }

    private static func read(
        _ settings: InstallationSettings,
        _ creation: SecretsFileCreation,
        _ logger: Logger
    ) throws(CommandFailure) -> SecretsFile {
        let file = settings.secretsPath
        if FileAccess.isOpenToOthers(file) {
            logger.warning(
                "other users can read the secrets file",
                metadata: ["file": "\(file)", "next": "chmod 600 \(file)"]
            )
        }
        let bytes: [UInt8]
        do throws(FileAccess.Fault) {
            bytes = try FileAccess.readNow(file, limit: maximumBytes)
        } catch {
            if error.isMissing { throw missing(settings, creation) }
            let advice = "Run this as a user who can read the file. Do not make a new one: no token would be valid."
            throw .usage("The secrets file \(file) cannot be read: \(error.reason).", details: [advice])
        }
        do throws(SecretsFileFault) {
            return try SecretsFile(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw .usage("The secrets file \(file) cannot be used. \(error.description)")
        }
    }

    /// Creates the file, unless it exists.
    ///
    /// The file is written under another name and linked to its place. Two servers that start at once therefore read the same
    /// secrets, and neither reads an incomplete file.
    private static func create(_ settings: InstallationSettings, _ logger: Logger) throws(CommandFailure) {
        let file = settings.secretsPath
        guard access(file, F_OK) != 0 else { return }
        guard mkdir(settings.dataFolder, 0o711) == 0 || errno == EEXIST else {
            let setting = Settings.data.declaration
            throw CommandFailure.usage(
                "The data folder \(settings.dataFolder) cannot be created: \(String(cString: strerror(errno))).",
                details: ["Create it, or name another with \(setting.flag) or \(setting.variable). Nothing was done."]
            )
        }
        var random = SystemRandomNumberGenerator()
        guard let id = SecretID("s1"), let secrets = SecretsFile.random(id: id, using: &random) else {
            throw CommandFailure(.output, "The system provided no random secrets.")
        }
        let draft = "\(file).\(getpid()).\(random.next())"
        try SecretFile(creating: draft).finish(secrets.reveal())
        let isLinked = link(draft, file) == 0
        let fault = errno
        unlink(draft)
        if isLinked {
            // Keys whose peppers a loss of power takes away can never be verified again. Not every file system can do this.
            for folder in [settings.dataFolder, "\(settings.dataFolder)/.."] {
                try? SystemCall.synchronizeFolder(folder)
            }
            logger.notice(
                """
                the secrets file was created; every server of this installation needs it, and no token can be verified without \
                it: keep a copy
                """,
                metadata: ["file": "\(file)"]
            )
        } else if fault != EEXIST {
            throw CommandFailure(.output, "\(file) could not be created: \(String(cString: strerror(fault))).")
        }
    }
}
