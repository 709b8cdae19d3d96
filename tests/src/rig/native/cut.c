/* Cuts a mounted ext4 off as a power failure does: nothing that was not
   flushed is written any more, not even the journal (FS_IOC_SHUTDOWN with
   NOLOGFLUSH, linux/fs.h and fs/ext4/ext4.h). Needs root. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define SHUTDOWN _IOR('X', 125, uint32_t)
#define NOLOGFLUSH 2

int main(int count, char **arguments) {
    if (count != 2)
        return 2;
    int directory = open(arguments[1], O_RDONLY);
    uint32_t how = NOLOGFLUSH;
    if (directory < 0 || ioctl(directory, SHUTDOWN, &how) != 0) {
        perror("cut");
        return 1;
    }
    return 0;
}
