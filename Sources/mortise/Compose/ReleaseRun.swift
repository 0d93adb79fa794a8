import Keys
import Tenancy

/// The work of `mortise release`.
struct ReleaseRun {
    private let settings: InstallationSettings

    init(_ settings: InstallationSettings) { self.settings = settings }

    /// Releases a restored installation, or shows what is held.
    ///
    /// - Parameters:
    ///   - moment: The moment that the operator confirms. `nil` shows what is held.
    ///   - resumesWorkspaces: True to resume the workspaces that were active in the backup.
    ///   - flags: The flags of the installation, for the next command.
    /// - Throws: `CommandFailure`.
    func run(moment: Timestamp?, resumesWorkspaces: Bool, flags: String) async throws {
        try settings.printWarnings()
        try await InstallationAccess(settings, label: "mortise.release")
            .withControl { control, _ in
                guard let held = try await control.heldRestoration() else {
                    return try Output.line("The installation is not held.")
                }
                guard let moment else {
                    throw CommandFailure(
                        .refused,
                        "The installation is held. It has the state of \(held.moment.rfc3339).",
                        details: [
                            "Whatever was revoked or removed after that moment works again after a release.",
                            "\(quantity(held.workspaces, "workspace")) that were active in the backup are suspended.",
                            "To release it, with the same settings: mortise release --moment \(held.moment.rfc3339)\(flags)",
                        ]
                    )
                }
                let resumed: Int
                do {
                    resumed = try await control.release(moment: moment, resuming: resumesWorkspaces)
                } catch let error as TenancyError where error.code == .invalid {
                    throw CommandFailure.usage("The installation was not released: \(error.message).")
                }
                try Output.line("Servers can start on the installation, which has the state of \(moment.rfc3339).")
                if resumesWorkspaces {
                    try Output.line("The next start resumes \(quantity(resumed, "workspace")).")
                } else {
                    try Output.line(
                        """
                        \(quantity(held.workspaces, "workspace")) stay suspended. Revoke the keys that were revoked after that moment, and \
                        resume each workspace: mortise workspace resume ORGANIZATION/WORKSPACE
                        """
                    )
                }
            }
    }
}
