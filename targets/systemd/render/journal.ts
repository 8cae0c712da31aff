export const journalPath = "/etc/systemd/journald.conf.d/50-homeport.conf";

/** Output of services and jobs is the journal's: it is to outlive a reboot, and not to fill the disk (journald.conf(5)). */
export const journalText = `# The journal of this host's apps. Written by Homeport.
[Journal]
Storage=persistent
SystemMaxUse=2G
MaxRetentionSec=30day
`;
