import Glibc
import Keys

/// Examines the secrets file: its existence, its permissions and its contents.
struct SecretsCheckup {
    /// The findings.
    private(set) var findings: [Finding] = []
    /// True if the secrets can be read, or if the data folder has no secrets file yet, because the first start creates it.
    private(set) var canBeUsed = true

    /// Examines the file.
    static func run(_ settings: InstallationSettings) -> SecretsCheckup {
        var checkup = SecretsCheckup()
        checkup.examine(settings)
        return checkup
    }

    private mutating func examine(_ settings: InstallationSettings) {
        let path = settings.secretsPath
        guard access(path, F_OK) == 0 else {
            guard settings.secretsFile != nil else { return }
            return fail(
                Finding(
                    .problem,
                    "The secrets file \(path) cannot be found.",
                    remedy: """
                        Restore it, or name the right one with \(Settings.pepperFile.declaration.flag). For a new installation, \
                        `mortise secrets new \(path)` creates one.
                        """
                )
            )
        }
        if FileAccess.isOpenToOthers(path) {
            findings.append(
                Finding(.problem, "Other users can read the secrets file \(path).", remedy: "chmod 600 \(path)")
            )
        }
        do {
            let bytes = try FileAccess.readNow(path, limit: InstallationSecrets.maximumBytes)
            let secrets = try SecretsFile(parsing: String(decoding: bytes, as: UTF8.self))
            let ids = secrets.peppers.ids.map(\.text).joined(separator: ", ")
            findings.append(Finding(.fine, "The secrets file \(path) can be used. Its peppers are \(ids)."))
        } catch let fault as SecretsFileFault {
            fail(
                Finding(
                    .problem,
                    "The secrets file \(path) cannot be used: \(fault.description)",
                    remedy: "Restore it from a copy, or correct it. Do not make a new one: no token would be valid."
                )
            )
        } catch let fault as FileAccess.Fault {
            fail(
                Finding(
                    .problem,
                    "The secrets file \(path) cannot be read: \(fault.reason).",
                    remedy: "Run this as its owner. Do not make a new one."
                )
            )
        } catch {
            fail(
                Finding(.problem, "The secrets file \(path) cannot be read.", remedy: "Run this as its owner.")
            )
        }
    }

    /// Notes a problem that keeps the secrets from being used.
    private mutating func fail(_ problem: Finding) {
        findings.append(problem)
        canBeUsed = false
    }
}
