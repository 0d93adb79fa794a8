import Locks
import Tenancy

/// The error that a test throws to simulate the end of a process.
struct Crash: Error {}

extension Provisioner {
    /// Creates a provisioner that throws `Crash` after the first time that it takes a step.
    static func crashing(after step: ProvisioningStep, _ control: ControlDatabase) -> Provisioner {
        let hasDied = Locked(false)
        return Provisioner(control, options: .ample) { taken in
            guard taken == step else { return }
            let isFirst = hasDied.withLock { died in
                defer { died = true }
                return !died
            }
            if isFirst { throw Crash() }
        }
    }
}
